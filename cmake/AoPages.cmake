# cmake -DAO=<program> -DSHARE=<directory> -P AoPages.cmake: the pages of the
# manual and the completions of the shells, as <program> prints them.
function(page file)
  get_filename_component(dir ${SHARE}/${file} DIRECTORY)
  file(MAKE_DIRECTORY ${dir})
  execute_process(COMMAND ${AO} ${ARGN} OUTPUT_FILE ${SHARE}/${file}
    COMMAND_ERROR_IS_FATAL ANY)
endfunction()
page(man/man1/ao.1 __manual ao.1)
page(man/man5/ao.yaml.5 __manual ao.yaml.5)
page(bash-completion/completions/ao completion bash)
page(zsh/vendor-completions/_ao completion zsh)
page(fish/vendor_completions.d/ao.fish completion fish)
