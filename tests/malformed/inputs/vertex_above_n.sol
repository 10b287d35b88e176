s col 2
l 4 1
