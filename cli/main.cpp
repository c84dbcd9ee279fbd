// `ao`: the command line.
#include "cli/command.hpp"

#include <clocale>

int main(int argc, char** argv) {
  std::setlocale(LC_CTYPE, "");
  auto out = ao::cli::output::of_process();
  return ao::cli::run_ao(argc, argv, out);
}
