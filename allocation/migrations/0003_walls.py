"""What the database itself refuses, beyond what a model's Meta can say."""

from django.db import migrations

from portal.lib.walls import append_only, no_overlap


class Migration(migrations.Migration):
    dependencies = [("allocation", "0002_initial")]
    operations = [append_only("allocation_ledgerentry"), no_overlap("allocation_reservation", of="gpu_id", live=("planned", "placed", "running", "ended"))]
