s col 2
l 1 1
l 2 2
l 1 1
