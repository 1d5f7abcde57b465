" ng.vim - the layout of models, as in `ngc fmt`, and :make.
if exists("b:did_ftplugin")
  finish
endif
let b:did_ftplugin = 1
setlocal commentstring=#\ %s comments=:# shiftwidth=4 expandtab
setlocal makeprg=ngc\ --color=never\ %\ -o\ /dev/null errorformat=%f:%l:%c:\ %trror:\ %m,%f:%l:%c:\ %tarning:\ %m,%-G%.%#
let b:undo_ftplugin = "setlocal commentstring< comments< shiftwidth< expandtab< makeprg< errorformat<"
