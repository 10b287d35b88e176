s col 2
s col 2
