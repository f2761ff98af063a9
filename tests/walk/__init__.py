"""What a page of the documents tells a new user to do, done."""
