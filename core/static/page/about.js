// The tab "about".
