"""What `opgrad doctor` finds out: each plugin tried in a process of its own, metadata, variables.

Whoever runs it, `opgrad.diagnosis.checkup.check_up` is the way in; nothing here prints.
"""
