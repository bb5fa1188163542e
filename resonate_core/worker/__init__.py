"""What runs on a worker beside the scheduler: steps."""
