"""What every other package stands on: files, errors, console, environment."""
