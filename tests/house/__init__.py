"""What holds for the whole house: its rules, its files and a fresh installation."""
