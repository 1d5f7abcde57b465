" ng.vim - colours for ngc models.
if exists("b:current_syntax")
  finish
endif

syn keyword ngStatement import dim input param state update output metric gradient minimize maximize def return
syn keyword ngRepeat for in while
syn keyword ngConditional if else
syn keyword ngKeyword over with
syn keyword ngConstant pi inf training step
syn match ngField /\.\h\w*/
syn match ngFunction /\.\@1<!\<\h\w*\ze(/
syn match ngBackward /\%([])}a-zA-Z0-9_'] \)\@2<=backward\ze\s*(/
syn match ngType /:\s*\zs\<\(int\|float\)\>/
syn match ngNumber /\.\@1<!\<\d\+\(\.\d\+\)\?\([eE][-+]\?\d\+\)\?\>/
syn match ngOperator /[-+*\/@^~=<>!|]/
syn region ngString start=/"/ end=/"\|$/ oneline
syn match ngComment /#.*/ contains=ngTodo
syn keyword ngTodo TODO FIXME XXX contained

hi def link ngStatement Statement
hi def link ngRepeat Repeat
hi def link ngConditional Conditional
hi def link ngKeyword Keyword
hi def link ngBackward Keyword
hi def link ngConstant Constant
hi def link ngFunction Function
hi def link ngType Type
hi def link ngNumber Number
hi def link ngOperator Operator
hi def link ngString String
hi def link ngComment Comment
hi def link ngTodo Todo

let b:current_syntax = "ng"
