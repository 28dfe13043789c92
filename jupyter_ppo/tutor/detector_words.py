"""The phrases that detectors look for, in the languages that our students are likely to write.

All are bounded: no pattern looks further than about a line ahead.
"""

# ruff: noqa: E501, RUF001 - a table of phrases, in other scripts and with look-alikes too

from __future__ import annotations

import re

#: Greek and Cyrillic letters for the Latin ones that they look like.
LOOK_ALIKES = str.maketrans(
    "АВСЕНІЈКМОРЅТХУасеіјорѕхуһԁԛԝΑΒΕΗΙΚΜΝΟΡΤΥΧΖονρτυι",
    "ABCEHIJKMOPSTXYaceijopsxyhdqwABEHIKMNOPTYXZovptui",
)
_ANY = r"[^\n.!?]{0,40}?"
_WHO = (
    r"(?:ai|llm|(?:large )?language model|chat ?gpt|gpt(?:-\d)?|claude|assistant|chatbot|"
    r"(?:ai |auto ?|automatic |automated )grader|grading (?:model|system|assistant|bot|ai)|"
    r"evaluator|auto-?grader)"
)
_BEFORE = (
    r"(?:previous|prior|above|earlier|preceding|foregoing|former|other|existing|original|your)"
)
_ORDERS = (
    r"(?:instructions?|prompts?|directions|guidelines|commands|rubric|(?:system )?messages?|context|"
    r"grading (?:criteria|rules)|rules (?:of|for) grading|orders)"
)
_BEST = (
    r"(?:full|maximum|max|top|perfect|highest|best|all(?: the| of the)?|100 ?%|excellent|a\+)"
    r"[ -]?(?:possible )?(?:marks?|points?|scores?|grades?|levels?|credits?|ratings?)"
)
_GIVE = r"(?:give|award|assign|grant|output|return|respond with|choose|select|set|mark|rate|grade|score)"


def _any(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(phrases), re.IGNORECASE | re.MULTILINE)


INSTRUCTIONS = _any(
    rf"\b(?:ignore|disregard|forget|override|bypass|skip|overrule|do not follow|don['’]t follow|stop following)\b"
    rf"{_ANY}\b(?:{_BEFORE}|all|any|everything)\b{_ANY}\b(?:{_ORDERS}|above|before|told|said)\b",
    r"\b(?:ignore|disregard|forget|override)\b (?:the |this |that )?(?:rubric|system prompt|grading)\b",
    rf"\b{_GIVE}\b{_ANY}\b{_BEST}",
    rf"\b(?:deserves?|earns?|gets?|receives?|is worth|must be given|should be given)\b{_ANY}\b{_BEST}",
    rf"\b(?:as|you are|you're|note to|attention|dear|hey|hello|message to|to) (?:an? |the |any )?{_WHO}\b"
    rf"(?=[^\n]{{0,80}}(?:[:,!]|you|must|please|should|grad|reading))",
    rf"\bif you are (?:an? |the )?{_WHO}\b",
    r"\byou (?:are|act) now\b|\bfrom now on,? you\b|\byour (?:new|real|actual|only) (?:task|role|job|goal|instructions?)\b",
    r"\bnew (?:instructions?|task|system prompt|rules)\s{0,2}:",
    r"\b(?:reveal|print|repeat|show|output|tell me|disclose|leak|dump|quote|copy|include|write)\b"
    rf"{_ANY}\b(?:system prompt|(?:your|hidden|secret|initial) (?:prompt|instructions?|rules|notes?|mark)|"
    r"instructions above|rubric notes?|notes? (?:for|of) the (?:staff|graders?)|grader notes?|"
    r"(?:reference|model|sample|official) (?:solution|answer)|hidden tests?|"
    r"other students?['’]?s? (?:answers?|submissions?|work|texts?)|canary|api key)",
    r"\bdo not (?:mention|tell|reveal|flag)\b[^\n.]{0,40}\b(?:this|instruction|staff|human|reviewer|teacher)\b",
    r"\b(?:set|choose|select|use|pick)\b (?:the )?(?:level|grade|score)\b[^\n.]{0,30}\b(?:to|for (?:every|all|each))\b",
    r"\b(?:developer|debug|god|admin|dan|maintenance|jailbreak) mode\b|\bjailbreak|\bdo anything now\b",
    r"\bend of (?:the )?(?:student(?:['’]s)? )?(?:answer|submission|data|input|response)\b",
    # German, French, Spanish, Portuguese, Italian, Dutch, Polish, Turkish, Swedish
    rf"\b(?:ignorier\w*|vergiss|vergessen sie|missachte\w*)\b{_ANY}\b(?:anweisung|instruktion|regel|vorgabe|bewertung|prompt)",
    rf"\b(?:gib|geben sie|vergib|vergeben sie|bewerte\w*)\b{_ANY}(?:volle\w* punkt|höchst\w*|maximal\w* punkt|bestnote|100 ?%)",
    rf"\b(?:ignore[zr]?|oublie[zr]?|négligez)\b{_ANY}\b(?:instructions|consignes|règles|barème)",
    rf"\b(?:donne[zr]?|attribue[zr]?|mets|mettez)\b{_ANY}(?:note maximale|tous les points|maximum de points|20 ?/ ?20|meilleure note)",
    rf"\b(?:ignora|ignore|olvida|olvide)\b{_ANY}\b(?:instrucciones|reglas|indicaciones|rúbrica|instruções|regras)",
    rf"\b(?:da|dé|dame|otorga|asigna|ponga|pon|dê|atribua|conceda)\b{_ANY}(?:puntuación máxima|nota máxima|todos los puntos|"
    r"máxima calificación|pontuação máxima|todos os pontos)",
    rf"\b(?:ignora|dimentica|ignorate)\b{_ANY}\b(?:istruzioni|regole|rubrica)|\b(?:assegna|dai)\b{_ANY}(?:punteggio massimo|voto massimo|il massimo)",
    rf"\b(?:negeer|vergeet)\b{_ANY}\b(?:instructies|regels|aanwijzingen)|\bgeef\b{_ANY}(?:maximale score|volledige punten|alle punten)",
    rf"\b(?:zignoruj|zapomnij)\b{_ANY}(?:instrukcj|poleceni|zasad)|\b(?:przyznaj|daj)\b{_ANY}maksymaln",
    rf"\b(?:ignorera|glöm)\b{_ANY}(?:instruktion|regler)|\bge\b{_ANY}(?:full poäng|högsta betyg)",
    rf"(?:talimatları|kuralları|yönergeleri)\b{_ANY}(?:yok say|unut|görmezden gel)|tam puan ver",
    # Russian, Ukrainian, Arabic, Hebrew, Persian, Hindi, Chinese, Japanese, Korean, Vietnamese
    rf"(?:игнорируй|проигнорируй|забудь|не обращай внимания|ігноруй|проігноруй){_ANY}(?:инструкци|указани|правил|інструкц|вказівк)",
    rf"(?:поставь|выстави|дай|присвой|постав){_ANY}(?:максимальн|высш|полн|максимальний|найвищ)",
    rf"(?:تجاهل|انس|تجاهلوا){_ANY}(?:التعليمات|الأوامر|القواعد)|(?:أعط|امنح|ضع){_ANY}(?:الدرجة الكاملة|العلامة الكاملة|أعلى درجة)",
    rf"(?:התעלם|תתעלם|שכח){_ANY}(?:ההוראות|הנחיות|הכללים)|(?:תן|תני|הענק){_ANY}(?:ציון מלא|מלוא הנקודות|ציון מקסימלי)",
    rf"(?:نادیده بگیر|فراموش کن)|(?:दस्तावेज़|निर्देशों?|नियमों?){_ANY}(?:अनदेखा|नज़रअंदाज़|भूल)|पूरे अंक",
    r"(?:忽略|无视|無視|忘记|忘掉|不要理会)[^\n。]{0,30}(?:指令|指示|说明|规则|要求|提示|命令)",
    r"(?:给|給|打|请给|评为)[^\n。]{0,15}(?:满分|滿分|最高分|最高等级)",
    r"(?:指示|命令|ルール|プロンプト|規則)[^\n。]{0,20}(?:無視|忘れ)|満点[^\n。]{0,12}(?:与え|付け|つけ|くださ|にし)|最高点を",
    r"(?:지시|명령|규칙|프롬프트)[^\n.]{0,20}(?:무시|잊)|만점[^\n.]{0,10}(?:주|부여)",
    rf"(?:bỏ qua|phớt lờ|quên){_ANY}(?:hướng dẫn|chỉ dẫn|quy tắc)|cho{_ANY}điểm tối đa",
)
ROLES = _any(
    r"<\|?(?:im_start|im_end|endoftext|system|user|assistant|start_header_id|end_header_id|eot_id|begin_of_text|"
    r"end_of_turn|start_of_turn|channel|message)\|?>|\[/?INST\]|<</?SYS>>|</?s>(?=\s|\[)",
    r"</?(?:system|assistant|developer|user|human|instructions?|student_?(?:answer|submission)|answer|rubric|grader|tool_?(?:call|result)|"
    r"function_?(?:call|results?))(?:[ _-][^<>\n]{0,60})?>",
    r"^[ \t>*#/-]{0,8}\[?(?:system|assistant|developer|tool|human)(?: (?:message|prompt|note|override))?\]?\**[ \t]{0,2}:(?!:)[ \t]*\S",
    r"^[ \t]{0,3}[\"']?role[\"']?[ \t]{0,3}:[ \t]{0,3}[\"']?(?:system|assistant|developer|user|tool)\b",
    r"[{,]\s{0,5}[\"']role[\"']\s{0,5}:\s{0,5}[\"'](?:system|assistant|developer|user|tool)\b",
    r"^[ \t>*#=/_-]{0,8}\[?(?:\(?(?:official|internal|private|confidential|final) )?(?:ta|teaching assistant|staff|instructors?|graders?|"
    r"professors?|teachers?|lecturers?|tutors?|examiners?|course (?:team|staff)|moderators?|reviewers?)(?:['’]s)?"
    r"(?: only)?[ -](?:comments?|notes?|remarks?|feedback|section|instructions?|override|decision|evaluation|assessment|verdict|approval|message)",
    r"^[ \t>*#=/_-]{0,8}(?:note|message|comment|instructions?) (?:from|of|by) (?:the )?(?:ta|teaching assistants?|staff|instructors?|"
    r"professors?|teachers?|course (?:team|staff)|system|administrators?|examiners?|developers?|openai|anthropic)\b",
    r"(?:注释|备注|评语|批注)?(?:助教|老师|教师)(?:评语|批注|备注|评论)[:：]|^[ \t>*#-]{0,6}(?:系统|システム|시스템|система|система)[ \t]{0,2}[:：]",
    r"^[ \t>*#-]{0,6}(?:anmerkung|hinweis|kommentar) (?:der|des|vom|für die|für den) (?:lehrkraft|dozent\w*|korrektor\w*|tutor\w*|prüfer\w*)",
    r"^[ \t>*#-]{0,6}(?:comentarios?|notas?) (?:del|de la|para el) (?:profesor\w*|docente|evaluador\w*)|^[ \t>*#-]{0,6}(?:note|commentaire)s? du (?:correcteur|professeur)",
    r"(?<!=)={4,40}[ \t]{0,3}(?:data|end|begin|fence|answer|system)[^\n=]{0,60}={4}|(?<!-)-{4,40}[ \t]{0,3}(?:end|begin) (?:of )?[^\n-]{0,40}-{4}",
)
PRESSURE = _any(
    r"\b(?:please|i beg(?: you)?|i implore|i['’]m begging)\b[^\n.!?]{0,60}\b(?:pass me|let me pass|full marks|good grade|better grade|be (?:kind|generous|lenient)|"
    r"don['’]t fail|do not fail|give me)\b",
    r"\b(?:lose|losing) my (?:scholarship|visa|job|place|funding|stipend)\b|\bi will (?:fail|be expelled|be deported|lose)\b|\bmy (?:mother|father|family|grandmother)\b"
    r"[^\n.!?]{0,60}\b(?:sick|ill|dying|died|hospital|depend)",
    r"\b(?:i will|i'll|we will)\b[^\n.!?]{0,30}\b(?:sue|complain|report you|legal action|appeal to the dean|give you a bad)\b|\blegal action\b|\bconsequences for you\b",
    r"\b(?:the |your |our )?(?:professor|instructor|lecturer|teacher|dean|head of department|ta|staff|course team|administrator|ministry|openai|anthropic)\b"
    r"[^\n.!?]{0,30}\b(?:has |have |had |already |told |said |confirmed |agreed |approved |promised |authori[sz]ed |instructed |decided )"
    r"[^\n.!?]{0,60}\b(?:marks?|points?|grade|score|pass|full|approved|credit|excellent|best)\b",
    r"\bi am (?:the |your |a |an )?(?:professor|instructor|lecturer|teacher|dean|administrator|admin|developer|system owner|head (?:ta|of)|course (?:owner|leader))\b",
    r"\b(?:lives?|life|people) (?:will|depends?|die)\b[^\n.!?]{0,30}\b(?:die|grade|this|answer)\b|\bi will (?:pay|tip) you\b|\$\d{2,} tip\b",
    r"\b(?:last|final) warning\b|\byou (?:must|have to|are required to) (?:pass|give|award|grade|mark) (?:me|this|it|full)\b",
)
