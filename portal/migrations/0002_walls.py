"""What the database itself refuses, beyond what a model's Meta can say."""

from django.db import migrations

from portal.lib.walls import append_only


class Migration(migrations.Migration):
    dependencies = [("portal", "0001_initial")]
    operations = [append_only("portal_auditentry"), append_only("portal_auditseal")]
