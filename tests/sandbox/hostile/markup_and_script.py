# verdict: ran
# program: succeeded
# ruff: noqa
# shows HTML and JavaScript
from IPython.display import HTML, SVG, Javascript, Markdown, display

display(HTML("<script>alert(1)</script><img src=x onerror=alert(1)>"))
display(Javascript("alert(1)"))
display(Markdown("[x](javascript:alert(1)) <iframe srcdoc='<script>alert(1)</script>'>"))
display(SVG("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"))
