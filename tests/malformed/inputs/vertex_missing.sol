s col 2
l
