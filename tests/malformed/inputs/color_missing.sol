s col 2
l 1
