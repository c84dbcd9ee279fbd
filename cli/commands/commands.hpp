#pragma once

#include "cli/command.hpp"

/// What each row of the command table runs; one source file per command.
namespace ao::cli {

outcome run_start(invocation& what);
outcome run_hub(invocation& what);
outcome run_stop(invocation& what);
outcome run_spawn(invocation& what);
outcome run_batch_spawn(invocation& what);
outcome run_status(invocation& what);
outcome run_task_add(invocation& what);
outcome run_task_import(invocation& what);
outcome run_task_ls(invocation& what);
outcome run_task_show(invocation& what);
outcome run_task_cancel(invocation& what);
outcome run_task_retry(invocation& what);
outcome run_session_ls(invocation& what);
outcome run_session_show(invocation& what);
outcome run_session_kill(invocation& what);
outcome run_session_restore(invocation& what);
outcome run_session_cleanup(invocation& what);
outcome run_session_claim_pr(invocation& what);
outcome run_attach(invocation& what);
outcome run_send(invocation& what);
outcome run_messages(invocation& what);
outcome run_why(invocation& what);
outcome run_events(invocation& what);
outcome run_logs(invocation& what);
outcome run_pr_create(invocation& what);
outcome run_pr_ls(invocation& what);
outcome run_pr_show(invocation& what);
outcome run_pr_merge(invocation& what);
outcome run_pull(invocation& what);
outcome run_summary(invocation& what);
outcome run_notify_ls(invocation& what);
outcome run_notify_retry(invocation& what);
outcome run_notify_test(invocation& what);
outcome run_review_submit(invocation& what);
outcome run_incident_ls(invocation& what);
outcome run_incident_show(invocation& what);
outcome run_incident_ack(invocation& what);
outcome run_incident_answer(invocation& what);
outcome run_incident_resolve(invocation& what);
outcome run_incident_reopen(invocation& what);
outcome run_report(invocation& what);
outcome run_acknowledge(invocation& what);
outcome run_config_check(invocation& what);
outcome run_config_show(invocation& what);
outcome run_config_reload(invocation& what);
outcome run_db_backup(invocation& what);
outcome run_agents(invocation& what);
outcome run_doctor(invocation& what);
outcome run_completion(invocation& what);
outcome run_complete(invocation& what);
outcome run_manual(invocation& what);
outcome run_setup_openclaw(invocation& what);
outcome run_demo(invocation& what);
outcome run_hook_pre_receive(invocation& what);
outcome run_hook_post_receive(invocation& what);

} // namespace ao::cli
