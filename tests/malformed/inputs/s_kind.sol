s edge 2
