"""What the simulated MIMIC-III cohort is drawn from: published aggregates and plausible guesses, no row of anybody.

Each constant names its source:

- J16: Johnson et al. 2016, MIMIC-III, Scientific Data 3:160035. Figures by unit are from the table by critical care
  unit in the authors' public draft (github.com/MIT-LCP/mimic-iii-paper, main.tex); the article has a later version.
- docs: mimic.mit.edu/docs/iii, pages on ADMISSIONS and PATIENTS.
- counts: value counts of the full release as public analyses print them, given from memory and not looked up again;
  each set adds up to the 58,976 admissions. Categories seen fewer than 11 times are left out.
- demo: an aggregate of the open demo (129 admissions).
- choice: ours, plausible, or tuned so that the shares above come out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Unit(NamedTuple):
    """What is known of the admissions to a critical care unit."""

    admissions: int  # J16
    age: tuple[float, float, float]  # years, quartiles; J16
    men: float  # share; J16
    stay: tuple[float, float, float]  # days in hospital, quartiles; J16
    elective: float  # share; choice: 7,706 in all (counts)
    urgent: float  # share; choice: 1,336 in all (counts)
    risk: float  # log-odds of death at 65, all else neutral; choice: mortality near J16's 11.3 4.6 14.5 12.6 11.4 0.8 %


UNITS = {
    "CCU": Unit(7258, (58.4, 70.1, 80.5), 0.579, (3.1, 5.8, 10.0), 0.03, 0.019, -2.50),
    "CSRU": Unit(9157, (57.6, 67.6, 76.7), 0.655, (5.2, 7.4, 11.4), 0.48, 0.06, -2.74),
    "MICU": Unit(19771, (51.7, 64.9, 78.2), 0.516, (3.7, 6.4, 11.7), 0.02, 0.019, -2.00),
    "SICU": Unit(8110, (51.4, 63.6, 76.5), 0.524, (4.4, 7.9, 14.2), 0.25, 0.019, -2.28),
    "TSICU": Unit(5498, (42.8, 59.8, 75.6), 0.607, (4.1, 7.4, 13.6), 0.09, 0.019, -2.02),
    "NICU": Unit(0, (0, 0, 0), 0.539, (2.3, 4.1, 10.3), 0.0, 0.0, -4.92),
}
NEWBORNS = 7863 / 46520  # counts: newborn admissions, each of a patient of its own, per patient
# Chance of another admission of a survivor, after the first and after later ones; choice: 12,456 readmissions of
# 7,537 patients (counts). At most 42 admissions a patient (counts).
READMITTED, READMITTED_AGAIN, MOST = 0.22, 0.44, 42
OVER_89, MEDIAN_OVER_89 = 0.045, 91.4  # choice (demo: 9 of 129); docs
FIRST_DAY, N_DAYS = np.datetime64("2100-06-01"), 35_700  # docs: dates are shifted, patient by patient, to 2100-2200

# Text, weight and log-odds of death; a weight of 500 or more is near the text's number in counts, the rest is choice.
DIAGNOSES = {
    "CCU": [
        ("CONGESTIVE HEART FAILURE", 928, 0.2), ("CHEST PAIN", 778, -1.2), ("ACUTE CORONARY SYNDROME", 250, -0.6),
        ("INFERIOR MYOCARDIAL INFARCTION\\CATH", 220, 0.0), ("ST ELEVATION MYOCARDIAL INFARCTION", 240, 0.4),
        ("BRADYCARDIA", 160, -0.9), ("UNSTABLE ANGINA\\CATH", 180, -1.5), ("VENTRICULAR TACHYCARDIA", 150, 0.1),
        ("CARDIAC ARREST", 160, 2.3), ("ATRIAL FIBRILLATION", 150, -0.6), ("CARDIOGENIC SHOCK", 60, 2.0),
        ("SYNCOPE", 140, -1.0), ("PERICARDIAL EFFUSION", 90, 0.1),
    ],
    "CSRU": [
        ("CORONARY ARTERY DISEASE\\CORONARY ARTERY BYPASS GRAFT /SDA", 583, -1.3),
        ("CORONARY ARTERY DISEASE", 840, -0.8),
        ("AORTIC STENOSIS", 300, -0.2), ("AORTIC STENOSIS\\AORTIC VALVE REPLACEMENT /SDA", 280, -0.9),
        ("MITRAL REGURGITATION", 180, -0.2), ("AORTIC DISSECTION", 90, 1.6), ("ENDOCARDITIS", 80, 1.0),
        ("AORTIC ANEURYSM/SDA", 130, 0.3), ("CHEST PAIN\\CATH", 400, -0.5), ("LUNG TRANSPLANT", 20, 0.6),
        ("CORONARY ARTERY DISEASE\\CATH", 450, -0.6), ("AORTIC INSUFFICIENCY", 110, -0.2), ("CAD\\CATH", 380, -0.4),
        ("MITRAL VALVE REPLACEMENT /SDA", 170, 0.0), ("POSITIVE STRESS TEST\\CATH", 250, -1.2),
        ("LEFT MAIN DISEASE", 110, 0.5),
    ],
    "MICU": [
        ("PNEUMONIA", 1566, 0.3), ("SEPSIS", 1184, 0.9), ("ALTERED MENTAL STATUS", 712, 0.2), ("FEVER", 480, -0.2),
        ("GASTROINTESTINAL BLEED", 686, -0.5), ("UPPER GI BLEED", 580, -0.6), ("ABDOMINAL PAIN", 526, -0.4),
        ("HYPOTENSION", 510, 0.3), ("SHORTNESS OF BREATH", 350, -0.1), ("RESPIRATORY FAILURE", 420, 0.8),
        ("DIABETIC KETOACIDOSIS", 380, -2.6), ("OVERDOSE", 330, -2.3), ("SEIZURE", 350, -0.8), ("DYSPNEA", 340, 0.0),
        ("LIVER FAILURE", 240, 1.2), ("COPD EXACERBATION", 280, -0.7), ("RENAL FAILURE", 230, 0.3),
        ("PULMONARY EMBOLISM", 230, -0.2), ("LOWER GI BLEED", 270, -0.9), ("ASTHMA", 150, -2.2), ("ANEMIA", 150, -0.6),
        ("ALCOHOL WITHDRAWAL", 150, -2.0), ("HYPOXIA", 240, 0.4), ("URINARY TRACT INFECTION", 180, -0.6),
        ("ACUTE LEUKEMIA", 60, 1.3), ("FAILURE TO THRIVE", 60, 0.8), ("PANCREATITIS", 260, -0.5),
        ("CELLULITIS", 110, -1.2),
    ],
    "SICU": [
        ("INTRACRANIAL HEMORRHAGE", 713, 1.1), ("SUBARACHNOID HEMORRHAGE", 420, 0.8), ("STROKE", 380, 0.5),
        ("BRAIN MASS", 380, -1.3), ("LIVER TRANSPLANT", 110, -0.4), ("BOWEL OBSTRUCTION", 200, 0.0),
        ("CAROTID STENOSIS/SDA", 170, -2.2), ("PANCREATIC CANCER/SDA", 130, -0.6), ("CEREBRAL ANEURYSM/SDA", 150, -1.5),
        ("ABDOMINAL AORTIC ANEURYSM/SDA", 150, -0.3), ("ESOPHAGEAL CANCER/SDA", 110, -0.5), ("CHOLANGITIS", 170, 0.0),
        ("LUNG CANCER/SDA", 120, -0.3), ("MESENTERIC ISCHEMIA", 60, 1.7), ("PERFORATED BOWEL", 80, 1.0),
    ],
    "TSICU": [
        ("S/P FALL", 520, -0.1), ("SUBDURAL HEMATOMA", 500, 0.5), ("S/P MOTOR VEHICLE ACCIDENT", 330, -0.7),
        ("TRAUMA", 190, 0.0), ("BLUNT TRAUMA", 120, 0.2), ("HEAD BLEED", 150, 0.9), ("HIP FRACTURE", 200, -0.8),
        ("S/P MOTORCYCLE ACCIDENT", 110, -0.9), ("STAB WOUND", 90, -1.6), ("GUNSHOT WOUND", 60, 0.8),
        ("C-SPINE FRACTURE", 130, -0.2), ("RIB FRACTURES", 120, -0.7), ("SPINAL STENOSIS/SDA", 170, -2.0),
    ],
    "NICU": [("NEWBORN", 7823, 0.0), ("PREMATURITY", 20, 1.5), ("RESPIRATORY DISTRESS", 20, 1.5)],
}  # fmt: skip
COMPOSED, TRIPLE, ADDED = 0.40, 0.50, 0.20  # choice: about 15,691 distinct texts (docs)
JOINTS = {";": 0.55, "/": 0.2, "; ": 0.1, ",": 0.1, " ": 0.05}  # choice, after the look of the demo's
ADDITIONS = [";TELEMETRY", "\\CATH", ";R/O INFECTION", " ?", "-WEAKNESS", ";S/P FALL", "/ACUTE RENAL FAILURE", ";CHF"]
DONOR, DONORS = "ORGAN DONOR ACCOUNT", 0.019  # docs: stays of donors may be negative; 98 stays are (counts)

# By type of admission; choice: the sums over types are near counts.
LOCATIONS: dict[str, dict[str, float]] = {
    "EMERGENCY": {
        "EMERGENCY ROOM ADMIT": 541, "CLINIC REFERRAL/PREMATURE": 208, "TRANSFER FROM HOSP/EXTRAM": 173,
        "PHYS REFERRAL/NORMAL DELI": 66, "TRANSFER FROM SKILLED NUR": 6.4, "** INFO NOT AVAILABLE **": 4.2,
        "TRANSFER FROM OTHER HEALT": 1.6,
    },
    "ELECTIVE": {"PHYS REFERRAL/NORMAL DELI": 985, "TRANSFER FROM HOSP/EXTRAM": 8, "CLINIC REFERRAL/PREMATURE": 7},
    "URGENT": {"TRANSFER FROM HOSP/EXTRAM": 80, "PHYS REFERRAL/NORMAL DELI": 12, "CLINIC REFERRAL/PREMATURE": 8},
    "NEWBORN": {
        "PHYS REFERRAL/NORMAL DELI": 573, "CLINIC REFERRAL/PREMATURE": 406, "HMO REFERRAL/SICK": 13,
        "TRANSFER FROM HOSP/EXTRAM": 8,
    },
}  # fmt: skip
# Of survivors, by age and stay in days; choice: the sums are near counts (HOME 18,962, HOME HEALTH CARE 13,963, ...).
DISCHARGES = {
    name: dict(zip(("HOME", "HOME HEALTH CARE", "SNF", "REHAB/DISTINCT PART HOSP", "LONG TERM CARE HOSPITAL",
                    "SHORT TERM HOSPITAL", "DISC-TRAN CANCER/CHLDRN H", "DISCH-TRAN TO PSYCH HOSP", "HOSPICE-HOME",
                    "LEFT AGAINST MEDICAL ADVI", "HOSPICE-MEDICAL FACILITY", "ICF"), shares, strict=True))
    for name, shares in {
        "under 70, short": (50, 28, 5, 8, 1.5, 3.2, 1.2, 2.0, 0.4, 1.6, 0.1, 0.1),
        "under 70, long": (18, 38, 13, 20, 8.5, 2.6, 1.2, 0.8, 0.6, 0.5, 0.2, 0.1),
        "over 70, short": (23, 30, 26, 13, 2.5, 3.4, 0.8, 0.5, 1.6, 0.4, 0.7, 0.1),
        "over 70, long": (8, 20, 37, 23, 10.0, 2.0, 0.7, 0.3, 1.4, 0.2, 0.6, 0.1),
        "newborn": (78, 11, 0, 0, 0, 8.0, 2.5, 0, 0, 0, 0, 0),
    }.items()
}  # fmt: skip
# By age; choice: sums near counts (Medicare 28,215, Private 22,582, Medicaid 5,785, Government 1,783, Self Pay 611).
INSURANCES = {
    "newborn": {"Private": 720, "Medicaid": 260, "Government": 13, "Self Pay": 7},
    "under 65": {"Medicare": 200, "Private": 576, "Medicaid": 141, "Government": 64, "Self Pay": 22},
    "over 65": {"Medicare": 880, "Private": 105, "Medicaid": 10, "Government": 4, "Self Pay": 1},
}
# By age at the first admission; choice: sums near counts (MARRIED 24,239, SINGLE 13,254, WIDOWED 7,211, ...).
_MARITAL = ("MARRIED", "SINGLE", "WIDOWED", "DIVORCED", "SEPARATED", "LIFE PARTNER", "UNKNOWN (DEFAULT)", None)
MARITAL_STATUSES = {
    name: dict(zip(_MARITAL, shares, strict=True))
    for name, shares in {
        "newborn": (0, 1, 0, 0, 0, 0, 0, 99),
        "under 45": (31, 56.5, 0.6, 4.5, 2.0, 0.1, 0.7, 4.6),
        "45 to 70": (53, 25, 5.5, 9.6, 1.5, 0.1, 0.7, 4.6),
        "over 70": (50, 12.5, 27.5, 4.1, 0.5, 0.0, 0.7, 4.7),
    }.items()
}
# counts
RELIGIONS = {
    "CATHOLIC": 20606, "NOT SPECIFIED": 11753, "UNOBTAINABLE": 8269, "PROTESTANT QUAKER": 7134, "JEWISH": 5314,
    "OTHER": 2696, "EPISCOPALIAN": 774, "GREEK ORTHODOX": 459, None: 458, "CHRISTIAN SCIENTIST": 429, "BUDDHIST": 267,
    "MUSLIM": 225, "JEHOVAH'S WITNESS": 139, "UNITARIAN-UNIVERSALIST": 124, "HINDU": 113, "ROMANIAN EAST. ORTH": 83,
    "7TH DAY ADVENTIST": 81, "BAPTIST": 28, "HEBREW": 16,
}  # fmt: skip
# counts
ETHNICITIES = {
    "WHITE": 40996, "BLACK/AFRICAN AMERICAN": 5440, "UNKNOWN/NOT SPECIFIED": 4523, "HISPANIC OR LATINO": 1696,
    "OTHER": 1512, "ASIAN": 1509, "UNABLE TO OBTAIN": 814, "PATIENT DECLINED TO ANSWER": 559, "ASIAN - CHINESE": 277,
    "HISPANIC/LATINO - PUERTO RICAN": 232, "BLACK/CAPE VERDEAN": 200, "WHITE - RUSSIAN": 164,
    "MULTI RACE ETHNICITY": 130, "BLACK/HAITIAN": 101, "ASIAN - ASIAN INDIAN": 85, "WHITE - OTHER EUROPEAN": 81,
    "HISPANIC/LATINO - DOMINICAN": 78, "PORTUGUESE": 61, "WHITE - BRAZILIAN": 59, "ASIAN - VIETNAMESE": 53,
    "AMERICAN INDIAN/ALASKA NATIVE": 51, "BLACK/AFRICAN": 44, "MIDDLE EASTERN": 43,
    "HISPANIC/LATINO - GUATEMALAN": 40, "WHITE - EASTERN EUROPEAN": 25, "ASIAN - FILIPINO": 25,
    "HISPANIC/LATINO - CUBAN": 24, "HISPANIC/LATINO - SALVADORAN": 19,
    "NATIVE HAWAIIAN OR OTHER PACIFIC ISLANDER": 18, "ASIAN - CAMBODIAN": 17, "ASIAN - OTHER": 17,
    "ASIAN - KOREAN": 13, "HISPANIC/LATINO - MEXICAN": 13,
}  # fmt: skip
NO_LANGUAGE = 25332 / 58976  # counts: empty cells, patient by patient
# counts; of those that no ethnicity below speaks
LANGUAGES = {
    "ENGL": 29086, "RUSS": 790, "PTUN": 628, "PORT": 342, "ITAL": 124, "GREE": 75, "ARAB": 47, "PERS": 44, "POLI": 34,
    "AMER": 31, "HIND": 24, "FREN": 18, "ALBA": 18, "SOMA": 14,
}  # fmt: skip
# Ethnicities that begin so often speak another language; choice: SPAN 1,083, CANT 413, CAPE 256, ... (counts).
SPOKEN = {
    "HISPANIC": {"SPAN": 85, "ENGL": 15},
    "ASIAN": {"CANT": 35, "MAND": 14, "VIET": 9, "CAMB": 3, "KORE": 2, "ENGL": 37},
    "BLACK/CAPE": {"CAPE": 80, "ENGL": 20}, "BLACK/HAITIAN": {"HAIT": 75, "ENGL": 25}, "WHITE - RUSSIAN": {"RUSS": 1},
    "PORTUGUESE": {"PORT": 70, "ENGL": 30}, "WHITE - BRAZILIAN": {"PORT": 80, "ENGL": 20},
}  # fmt: skip
NO_CHART = 1 - 57786 / 58976  # J16: admissions with a stay in a unit
