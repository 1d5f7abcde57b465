au BufRead,BufNewFile *.ng setfiletype ng
