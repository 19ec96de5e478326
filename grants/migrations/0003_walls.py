"""What the database itself refuses, beyond what a model's Meta can say."""

from django.db import migrations

from portal.lib.walls import append_only


class Migration(migrations.Migration):
    dependencies = [("grants", "0002_initial")]
    operations = [append_only("grants_receipt")]
