"""What runs on either side of the border between a test and the code it tests."""
