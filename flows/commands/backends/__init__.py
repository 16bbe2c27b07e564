"""What stands behind commands that need no run: doctor, the table of rules, SQL for other databases."""
