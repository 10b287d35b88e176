s col 2 x
