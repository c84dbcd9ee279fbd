#include "runtime/shim/shim.hpp"

#include <iostream>
#include <string_view>

/// `ao-shim <session dir>`: started by the runner, in a tmux pane or around a
/// CI command; nobody types it.
int main(int argc, char** argv) {
  if (argc != 2 || std::string_view{argv[1]}.empty()) {
    std::cerr << "usage: ao-shim <session dir>\n";
    return static_cast<int>(ao::shim_exit::failed);
  }
  return static_cast<int>(ao::run_shim(argv[1]));
}
