#pragma once

#include "cli/command.hpp"

/// `ao cluster` and `ao node`.
namespace ao::cli {

outcome run_cluster_init(invocation& what);
outcome run_node_token(invocation& what);
outcome run_node_ls(invocation& what);
outcome run_node_show(invocation& what);
outcome run_node_cordon(invocation& what);
outcome run_node_uncordon(invocation& what);
outcome run_node_drain(invocation& what);
outcome run_node_revoke(invocation& what);

} // namespace ao::cli
