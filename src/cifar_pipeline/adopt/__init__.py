"""Images of a user's own: look at them before the pipeline does."""
