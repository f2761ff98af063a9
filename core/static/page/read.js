// The tab "read".
