s col 0
