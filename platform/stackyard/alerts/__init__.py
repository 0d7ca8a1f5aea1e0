"""Rules that watch what is called and run, and tell people when it goes wrong and when it is well again."""
