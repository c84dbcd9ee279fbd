#include "ao_version.hpp"
#include "messages/error.hpp"

#include <cstdio>
#include <cstring>

/// `ao-node`: the worker on another host. Until the cluster lands it knows
/// its version and says so.
int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
    std::printf("ao-node %s (%s)\n", AO_VERSION, AO_COMMIT);
    return 0;
  }
  std::fputs("ao-node: joining a cluster is not part of this release; run the "
             "hub with its embedded node (`ao start`)\n",
             stderr);
  return 2;
}
