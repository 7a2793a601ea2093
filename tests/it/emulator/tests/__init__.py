"""The emulator's own tests: `python3 start.py --self-test`. They speak to it with boto3."""
