"""The authorization application: what runs in the container that is made from the licence image."""
