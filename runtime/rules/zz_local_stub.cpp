static int unused [[maybe_unused]];
