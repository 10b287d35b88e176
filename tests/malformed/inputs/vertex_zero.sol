s col 2
l 0 1
