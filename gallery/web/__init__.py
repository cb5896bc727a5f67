"""Files from the web, fetched so that nothing private can be reached."""
