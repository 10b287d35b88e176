s col 2
l a 1
