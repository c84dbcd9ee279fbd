#pragma once

#include <string>
#include <vector>

namespace ao::test {

/// Two tasks of one project, and whether a person would call them the same
/// work.
struct labelled_pair {
  bool same;
  /// What makes the pair worth having.
  std::string about;
  std::string title_a;
  std::string body_a;
  std::string title_b;
  std::string body_b;
};

/// A body as issue forms make it: all of it but one line is everybody's.
inline std::string of_template(const std::string& what) {
  return "### Is there an existing issue for this?\n"
         "- [x] I have searched the existing issues\n\n"
         "### Current behaviour\n"
    + what
    + "\n\n### Steps to reproduce\n"
      "1. Install the latest version\n2. Open the application\n"
      "3. See error\n\n"
      "### Environment\n- OS: Ubuntu 22.04\n- Version: 2.3.1\n\n"
      "### Anything else?\nNo response\n";
}

/// A prompt as a script writes it: the same frame around each piece of work.
inline std::string framed(const std::string& work) {
  return "You are a senior engineer working on the billing service.\n"
         "Read CONTRIBUTING.md first, run make test before you commit, keep "
         "the style of the code that is there.\n\n"
         "Your task: "
    + work + "\n\nWhen you are done, open a change.\n";
}

/// The labelled set: what the threshold is chosen and measured on. Every
/// third pair (by index) is held out: weights and threshold were chosen
/// without it.
inline const std::vector<labelled_pair>& labelled_pairs() {
  static const std::vector<labelled_pair> pairs{
    // -- the same work, in other words ---------------------------------------
    {true, "reworded with bodies",
     "Login fails when password contains a plus sign",
     "POST /login answers 401 if the password has a + in it. auth/form.py "
     "decodes the body twice.",
     "Cannot log in with a plus in the password",
     "Users with a plus sign in their password get 401 from /login; looks "
     "like double decoding in auth/form.py"},
    {true, "reworded", "Crash when config file is missing", "",
     "App crashes if the configuration file does not exist", ""},
    {true, "reworded", "Upload of large files times out", "",
     "Timeout when uploading big files", ""},
    {true, "short, one synonym", "Add dark mode", "", "Support a dark theme",
     ""},
    {true, "short, reordered", "Fix typo in README", "", "README has a typo",
     ""},
    {true, "noun and verb", "Memory leak in websocket handler", "",
     "WebSocket handler leaks memory", ""},
    {true, "a name carries it", "Flaky test: test_retry_backoff fails on CI",
     "", "test_retry_backoff is flaky", ""},
    {true, "reworded", "Pagination returns the last item twice", "",
     "Last item is duplicated in paginated results", ""},
    {true, "synonym", "Remove deprecated v1 endpoints", "",
     "Delete the deprecated v1 API endpoints", ""},
    {true, "reworded", "Improve error message when port is in use", "",
     "Better error message if the port is already in use", ""},
    {true, "the same prompt", "Fix the login bug",
     "The login form rejects valid users.", "Fix the login bug",
     "The login form rejects valid users."},
    {true, "the same title", "Race condition in session cleanup",
     "Two threads call cleanup_session at once and the second one fails with "
     "ESRCH.",
     "Race condition in session cleanup",
     "Saw it again: cleanup_session gives ESRCH when stop and cleanup "
     "overlap."},
    {true, "bodies share names", "Session cleanup races with restart",
     "cleanup_session removes the worktree while restart_session opens it; "
     "ENOENT in the log.",
     "Race between restart and cleanup of a session",
     "When restart_session runs during cleanup_session we get ENOENT for the "
     "worktree."},
    {true, "reworded", "Dates are shown in UTC instead of local time", "",
     "Show dates in the user's local time, not UTC", ""},
    {true, "reworded", "Search ignores words with accents", "",
     "Search should find words with accents", ""},
    {true, "reworded", "Export to CSV breaks on commas", "",
     "CSV export is broken when fields contain commas", ""},
    {true, "the same version", "Bump openssl to 3.0.13", "",
     "Update OpenSSL to version 3.0.13", ""},
    {true, "reordered", "Retry failed webhook deliveries", "",
     "Webhooks: retry deliveries that failed", ""},
    {true, "reworded", "npm install fails on Windows", "",
     "Installation with npm is broken on Windows", ""},
    {true, "reworded", "Cache is not invalidated after rename of a file", "",
     "Stale cache after renaming a file",
     "The cache entry is not invalidated."},
    {true, "a stack trace", "Null pointer in OrderService.cancel",
     "java.lang.NullPointerException\n  at OrderService.cancel(Order.java:88)"
     "\n  at OrderController.delete(OrderController.java:31)",
     "NullPointerException in OrderService.cancel for orders without customer",
     "Trace: OrderService.cancel(Order.java:88) called by "
     "OrderController.delete"},
    {true, "docs", "Document the --dry-run flag", "",
     "Docs: flag --dry-run is not documented", ""},
    {true, "reworded", "Build fails on macOS arm64", "",
     "Fix the build for macOS on arm64", ""},
    {true, "reworded", "Email validation rejects plus addressing", "",
     "Valid e-mail addresses with a plus are rejected",
     "The validation of the email field does not know plus addressing."},
    {true, "reworded", "Speed up the test suite", "",
     "The test suite is too slow", ""},
    {true, "more words", "Dropdown closes when scrolling on mobile", "",
     "On mobile the dropdown menu closes as soon as you scroll", ""},
    {true, "noun and verb", "Log rotation does not work", "",
     "Logs are not rotated", ""},
    {true, "reworded", "Handle SIGTERM gracefully in worker", "",
     "Worker should shut down gracefully on SIGTERM", ""},
    {true, "passive", "Tooltip overlaps the save button", "",
     "Save button is covered by its tooltip", ""},
    {true, "reworded", "Cannot delete user with open invoices", "",
     "Deleting a user who has open invoices fails with 500", ""},
    {true, "noun and verb", "Add rate limiting to the public API", "",
     "Rate limit for the public API", ""},
    {true, "synonym", "Migrate from moment.js to date-fns", "",
     "Replace moment.js with date-fns", ""},
    {true, "reworded", "Wrong total when cart has a discount", "",
     "Cart total is wrong with discount codes", ""},
    {true, "reordered", "Add unit tests for parser", "",
     "Write parser unit tests", ""},
    {true, "noun and verb", "Images are not lazy loaded", "",
     "Lazy-load images", ""},
    {true, "synonym", "Docker image is too big", "",
     "Reduce size of the Docker image", ""},
    {true, "reworded", "Scroll position lost after going back", "",
     "Browser back button loses the scroll position", ""},
    {true, "reworded", "Wrong exit code when tests fail", "",
     "Exit code is 0 although tests failed", ""},
    {true, "bodies share names", "Deadlock in connection pool under load",
     "Pool::acquire in pool.cpp waits for itself when max_connections is "
     "reached.",
     "Connection pool deadlocks when all connections are taken",
     "With max_connections in use Pool::acquire (pool.cpp) never returns."},
    {true, "reworded", "Unicode filenames break zip download", "",
     "Zip download fails for file names with unicode characters", ""},
    {true, "reordered", "Add --json output to status", "",
     "status: support --json", ""},
    {true, "no word in common", "The page freezes when I paste a long text", "",
     "Editor hangs on large clipboard content", ""},
    {true, "the same version", "Support Python 3.12", "",
     "Make it run on Python 3.12", ""},
    {true, "issue forms", "Sidebar flickers on resize",
     of_template("The sidebar flickers while the window is resized."),
     "Resizing the window makes the sidebar flicker",
     of_template("When I resize the window, the sidebar flickers.")},
    {true, "the same in a frame", "You are a senior engineer",
     framed("invoices with zero lines crash the renderer in render.py"),
     "You are a senior engineer",
     framed("the renderer in render.py crashes for invoices with zero lines")},
    // -- other work that looks alike -----------------------------------------
    {false, "A and B", "Add retry to client", "", "Add retry to server", ""},
    {false, "series, one body", "Migrate module 1",
     "Move it to the new build system and delete the old makefile.",
     "Migrate module 2",
     "Move it to the new build system and delete the old makefile."},
    {false, "series by language", "Translate docs/intro.md to French",
     "Keep the headings and the code blocks as they are.",
     "Translate docs/intro.md to German",
     "Keep the headings and the code blocks as they are."},
    {false, "same component", "Fix crash in parser on empty input", "",
     "Fix crash in parser on nested quotes", ""},
    {false, "same component", "Login fails with SSO", "",
     "Login page has the wrong title", ""},
    {false, "issue forms", "Sidebar flickers on resize",
     of_template("The sidebar flickers while the window is resized."),
     "Export button is missing",
     of_template("There is no export button on the report page.")},
    {false, "another version", "Bump openssl to 3.0.13", "",
     "Bump openssl to 3.0.14", ""},
    {false, "another package", "Bump lodash from 4.17.20 to 4.17.21",
     "Bumps lodash. Release notes, changelog and commits are in the upstream "
     "repository.",
     "Bump axios from 1.5.0 to 1.6.0",
     "Bumps axios. Release notes, changelog and commits are in the upstream "
     "repository."},
    {false, "A and B", "Add unit tests for parser", "",
     "Add unit tests for lexer", ""},
    {false, "opposites", "Enable gzip compression", "",
     "Disable gzip compression", ""},
    {false, "opposites", "Increase default page size", "",
     "Decrease default page size", ""},
    {false, "another version", "Remove v1 endpoints", "", "Remove v2 endpoints",
     ""},
    {false, "another flag", "Document the --dry-run flag", "",
     "Document the --force flag", ""},
    {false, "another name", "Fix flaky test test_retry_backoff",
     "Fails about once in twenty runs on CI.",
     "Fix flaky test test_session_restore",
     "Fails about once in twenty runs on CI."},
    {false, "same verb", "Add dark mode", "", "Add keyboard shortcuts", ""},
    {false, "another place", "Memory leak in websocket handler", "",
     "Memory leak in image cache", ""},
    {false, "opposites", "CSV export breaks on commas", "",
     "CSV import breaks on commas", ""},
    {false, "series, one body", "Create users table",
     "Write the migration, the model and a test for each column.",
     "Create orders table",
     "Write the migration, the model and a test for each column."},
    {false, "another method", "Implement GET /users", "",
     "Implement POST /users", ""},
    {false, "another version", "Support Python 3.12", "", "Support Python 3.13",
     ""},
    {false, "same component", "Wrong total when cart has a discount", "",
     "Wrong currency symbol in cart", ""},
    {false, "A and B", "Update copyright year in frontend", "",
     "Update copyright year in backend", ""},
    {false, "A and B", "Add logging to payment service", "",
     "Add metrics to payment service", ""},
    {false, "A and B", "Refactor UserService", "", "Refactor OrderService", ""},
    {false, "another directory", "Fix lint warnings in src/api", "",
     "Fix lint warnings in src/db", ""},
    {false, "numbered", "Write file 17", "", "Write file 18", ""},
    {false, "phases of one epic", "Phase 1: design the schema for audit log",
     "Part of the audit log epic. Every change of a customer record must be "
     "kept for ten years. See docs/audit.md for the requirements.",
     "Phase 2: backfill the audit log",
     "Part of the audit log epic. Every change of a customer record must be "
     "kept for ten years. See docs/audit.md for the requirements."},
    {false, "same component", "Upload of large files times out", "",
     "Upload of empty files is rejected", ""},
    {false, "same component", "Search ignores accents", "",
     "Search ignores case", ""},
    {false, "same component", "Button is misaligned on mobile", "",
     "Button is misaligned in dark mode", ""},
    {false, "series by language", "Add German locale", "", "Add Spanish locale",
     ""},
    {false, "opposites", "Crash on startup on Windows", "",
     "Crash on shutdown on Windows", ""},
    {false, "same endpoint", "Add pagination to /users", "",
     "Add sorting to /users", ""},
    {false, "another version", "Drop support for Node 14", "",
     "Drop support for Node 16", ""},
    {false, "same component", "Fix race in session cleanup",
     "cleanup_session removes the worktree while restart_session opens it.",
     "Fix race in session creation",
     "create_session takes the same number twice when two spawns come at "
     "once."},
    {false, "same entity", "Cannot delete user with open invoices", "",
     "Cannot create user with the same email", ""},
    {false, "same kind", "Improve error message when port is in use", "",
     "Improve error message when config is invalid", ""},
    {false, "same target", "Add rate limiting to the public API", "",
     "Add authentication to the public API", ""},
    {false, "opposites", "Read settings from the environment", "",
     "Write settings to disk", ""},
    {false, "series, one body", "Convert Header to TypeScript",
     "Use strict mode, no any, keep the public props.",
     "Convert Footer to TypeScript",
     "Use strict mode, no any, keep the public props."},
    {false, "another system", "Document installation on Linux", "",
     "Document installation on macOS", ""},
    {false, "same file", "Fix typo in README", "", "Fix broken link in README",
     ""},
    {false, "another version", "Release 1.4", "Tag, changelog, announcement.",
     "Release 1.5", "Tag, changelog, announcement."},
    {false, "same suite", "Tests for auth: happy path", "",
     "Tests for auth: error cases", ""},
    {false, "numbered", "Proofread chapter 3", "", "Proofread chapter 4", ""},
    {false, "another column", "Add index on orders.customer_id", "",
     "Add index on orders.created_at", ""},
    {false, "opposites", "Move the save button to the left", "",
     "Move the save button to the right", ""},
    {false, "same component", "Handle SIGTERM gracefully in worker", "",
     "Reload config on SIGHUP in worker", ""},
    {false, "A and B", "Unify date format in reports", "",
     "Unify number format in reports", ""},
    {false, "another file", "Extract helper from checkout.ts", "",
     "Extract helper from cart.ts", ""},
    {false, "another system", "Fix build on macOS", "", "Fix build on Windows",
     ""},
    {false, "numbered", "Task 7: printer", "", "Task 8: parser", ""},
    {false, "short", "Set up CI", "", "Set up CD", ""},
    {false, "other work in a frame", "You are a senior engineer",
     framed("invoices with zero lines crash the renderer in render.py"),
     "You are a senior engineer",
     framed("add VAT numbers to the customer form in customer.py")},
    {false, "series in a frame", "Work on the task below",
     framed("port src/db/orders.c to the new allocator"),
     "Work on the task below",
     framed("port src/db/customers.c to the new allocator")},
    {false, "same long body, other work", "Cache user avatars",
     "We use Redis in production and memory in tests. Keys have the prefix "
     "app: and expire after an hour unless said otherwise.",
     "Cache rendered reports",
     "We use Redis in production and memory in tests. Keys have the prefix "
     "app: and expire after an hour unless said otherwise."},
    {false, "one word in common", "Parser: better recovery after errors", "",
     "Speed up the parser with a lookup table", ""},
    {false, "same words, other thing", "Delete files after upload", "",
     "Upload files after delete fails: wrong order in sync log",
     "The sync log shows operations in the wrong order."},
    {false, "generic", "Fix tests", "Three tests of the importer are red.",
     "Write tests", "The exporter has none."},
    {false, "generic", "Update dependencies of the frontend", "",
     "Update dependencies of the docs site", ""},
    {false, "sub-task of another", "Add metrics", "",
     "Add metrics for queue "
     "length and age of the oldest message",
     ""},
    {false, "long, one word swapped",
     "Add retry with exponential backoff to the S3 client", "",
     "Add retry with exponential backoff to the GCS client", ""},
    {false, "long, one word swapped",
     "Show a spinner while the orders table is loading", "",
     "Show a spinner while the invoices table is loading", ""},
    {false, "long, one word swapped",
     "Validate the billing address before an order is saved", "",
     "Validate the shipping address before an order is saved", ""},
    {true, "long, reworded",
     "Scheduler skips jobs after daylight saving time changes", "",
     "After a change of daylight saving time the scheduler skips some jobs",
     ""},
    {true, "long, reworded",
     "Notification badge keeps the old count until reload", "",
     "Old count stays in the notification badge until the page is reloaded",
     ""},
    {true, "the same error",
     "TypeError: cannot read property 'id' of undefined in checkout.ts",
     "Happens when the cart is empty.", "Checkout throws for an empty cart",
     "TypeError: Cannot read property 'id' of undefined at checkout.ts:41 if "
     "the cart is empty"},
  };
  return pairs;
}

} // namespace ao::test
