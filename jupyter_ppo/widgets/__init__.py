"""What students see in a notebook. Importing this package loads no widget yet."""
