s col 1
e 1 2
