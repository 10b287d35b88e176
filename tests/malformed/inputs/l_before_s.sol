l 1 1
s col 2
