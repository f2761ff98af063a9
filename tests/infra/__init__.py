"""What deploys, against recorded fakes of the clouds' programs."""
