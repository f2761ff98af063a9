// The tab "manage".
