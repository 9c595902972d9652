"""Two states of the project served side by side: is one slower than the other?"""
