"""One module for each verb; what is heavy is imported when a verb runs, so that help is instant."""
