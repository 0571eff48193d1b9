"""Names that read like a district's, in Chinese, for districts that are made up."""

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN = "敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂英华玉文辉玲芳燕红春梅建国海波晓雪宁婷宇佳欣然子涵"
DIGITS = "零一二三四五六七八九"


def numeral(number: int) -> str:
    """A number from 1 to 9999 as it is spoken.

    >>> numeral(7), numeral(12), numeral(20), numeral(203), numeral(1010)
    ('七', '十二', '二十', '二百零三', '一千零一十')
    """
    words = ""
    skipped = False
    for place, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // place % 10
        if digit:
            words += ("零" if skipped and words else "") + DIGITS[digit] + unit
        skipped = not digit
    return words.removeprefix("一") if words.startswith("一十") else words


def class_name(grade: int, number: int) -> str:
    """A class as its school calls it.

    >>> class_name(3, 2)
    '三年级2班'
    """
    return f"{numeral(grade)}年级{number}班"
