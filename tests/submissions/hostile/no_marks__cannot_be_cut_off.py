"""Trainings that swallow whatever would end them."""

# part: 10_limits
# preceded by: solutions/10_limits/gpu_training.py
# slow
# seconds: 8
# message: did not come back within

def train(model, gpus):
    """Hang, and go on hanging."""
    while True:
        try:
            time.sleep(3600)
        except BaseException:
            pass
