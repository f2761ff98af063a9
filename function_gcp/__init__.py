"""The door to Google Cloud: Cloud Run and Cloud Functions, through functions-framework."""
