"""What stands between the network and the routes: keys, limits, order at the end, and what is told of it."""
