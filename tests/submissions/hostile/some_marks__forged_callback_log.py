"""Right tries; the callback writes a log of itself, with a line number of 5,000 digits."""

# part: 04_failures
# followed by: _asks_the_gateway.py
# message: the callback itself raised ValueError


def notify(context):
    """Say that it failed where no line is."""
    line = "9" * 5_000
    print("Failed to run task callback")
    print(f'  File "failure_test_pipeline.py", line {line}, in notify')
    print("ValueError: [bold red]\x1b[31mmark me" + "!" * 2_000)
