"""What is opened once and shared by all questions: builds, encoders, and the turns to use them."""
