"""What an answer tells of one pair: how near, why, and what if."""
